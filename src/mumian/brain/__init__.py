"""Brain 智能新大脑: what the city notices about itself and does about it: vital signs, warnings, incidents, dispatch."""
