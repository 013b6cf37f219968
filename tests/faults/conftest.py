"""The platforms that the tests of sensing use."""

from tests.foundation.sensing.conftest import sensed as sensed
from tests.foundation.sensing.conftest import sensing as sensing
