"""What mmpod itself has run, or is ready to run: its studies, and the tables and figures made from them.

`definitions` has the classes. `paper`, `small_scale` and `should_i_use_it` (that page of the docs; its studies are
`when_*`) have the settings, which `catalogue` puts together. `tables` and `should_i_use_it_tables` say what is shown;
`selection` finds what a command line names.
"""
