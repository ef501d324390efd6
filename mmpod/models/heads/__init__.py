"""Classification heads with one prototype per class: predefined centroids, or learned class weights."""
