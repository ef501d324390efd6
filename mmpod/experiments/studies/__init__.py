"""What mmpod itself has run, or is ready to run: its studies, and the tables and figures made from them.

`definitions` has the classes. `paper`, `losses` and `when` ("Should I use it?") have the settings, which `catalogue`
puts together. `tables` and `when_tables` say what is shown; `selection` finds what a command line names.
"""
