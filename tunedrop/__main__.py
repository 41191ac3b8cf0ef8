"""`python -m tunedrop`."""

from tunedrop.cli.app import main

if __name__ == "__main__":
    main()
