"""What the estimators share: validation, columns, verdicts in words, callbacks."""
