"""One reader a format: official files in, clips out."""
