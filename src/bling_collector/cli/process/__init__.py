"""Um comando como processo: o que se digita, como roda, como para e com que código sai."""
