"""What both surfaces need of HTTP: bodies in, bytes out, and the status of every error."""
