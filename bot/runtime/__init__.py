"""The hallway: carries an event through one turn and its commands out. Decides nothing; knows no database and no HTTP."""
