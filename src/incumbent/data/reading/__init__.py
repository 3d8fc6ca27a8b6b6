"""Read files, folders, frames, arrays and data sets."""
