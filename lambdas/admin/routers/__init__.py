"""The panel for programs: GET and POST below /admin/v1."""
