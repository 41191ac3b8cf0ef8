"""The services that TuneDrop talks to, each in our words: Azure OpenAI, Azure Resource Manager,
blob storage.
"""
