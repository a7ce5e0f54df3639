"""The demo through HTTP and Chromium."""
