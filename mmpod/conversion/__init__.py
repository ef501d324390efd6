"""From a softmax config to a POD config: is it eligible, what reaches its head, what changes, and how it is written."""
