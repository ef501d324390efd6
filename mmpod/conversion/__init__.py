"""From a softmax config to a POD config: whether it is eligible, what reaches its head, what changes, and the file."""
