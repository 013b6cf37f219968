"""Video 视频云: the ledger of cameras, what they show and who looked at it, and the analytic tasks that watch them."""
