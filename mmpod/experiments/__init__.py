"""Many trainings: which there are, how they are launched and recorded, and the tables and figures made of them."""
