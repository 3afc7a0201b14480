#!/bin/sh
# Starts the broker that tests use, on 127.0.0.1, and ends it with the shell: put the command of yours here.
# The stand-in of src/client needs none.
exec docker run --rm -p 127.0.0.1:7000:7000 __name__:latest
