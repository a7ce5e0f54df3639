"""One module a plane. A stack composes and grants; constructs build."""
