"""Classification heads with one prototype per class: predefined centroids, or learned class weights.

Import a new one in `mmpod/models/__init__.py`: that registers it.
"""
