"""Many trainings: which there are, how they are launched and recorded, and the tables and figures made of them.

The data flows from what is to be run to what is shown:

1. A study (`catalogue`, `paper`, `losses`, `studies`) is some configs, each with a grid (`sweep`) of overrides. Each
   point of a grid is a setting; a setting with a seed is a run.
2. `settings` resolves a config with its overrides; `launch` plans the commands of a run and refuses one whose settings
   have changed; `queue` makes the runs, each below a `supervisor`.
3. `run` reads what a run leaves in its folder; `records` keeps finished runs as lines of `results/<study>.jsonl`.
4. `report` fills the `tables` from the records, `figures` draws, and `index` lists the configs.

`tools/compare.py` and `tools/tune.py` go from configs and `arguments` over 2 and 3 to the tables of `comparison`.
"""
