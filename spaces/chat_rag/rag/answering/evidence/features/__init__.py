"""The numbers that the models weigh: how well a unit fits a question, and whether the documents fit it at all."""
