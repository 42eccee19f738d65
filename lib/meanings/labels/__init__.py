"""What kind of right or wrong an answer is: rules, gains by kind, and annotation by other readers."""
