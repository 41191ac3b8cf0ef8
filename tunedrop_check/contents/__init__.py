"""What the texts of the examples hold: their quality, repeated examples, secrets, personal data,
odd characters.
"""
