"""What every other part may use: argument checks, collectives, errors as sentences, paths of the shipped files."""
