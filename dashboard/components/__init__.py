"""What pages are drawn with: data in, widgets out."""
