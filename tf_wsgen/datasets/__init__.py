"""Files that people have, to prepared files and detections: readers, conventions, cameras, review."""
