"""What each training method wants of an example: its keys, messages, tools, images and graders."""
