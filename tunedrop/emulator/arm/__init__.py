"""The management plane: the account, its deployments, model lists, usages and permissions."""
