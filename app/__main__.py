"""`python -m app`: what `./fshnista` runs."""

from app.cli import main

if __name__ == "__main__":
    main()
