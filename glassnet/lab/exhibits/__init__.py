"""The exhibits: for each, a Python class that computes and a JavaScript module that draws."""
