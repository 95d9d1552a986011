"""The ground floor: values that every room speaks in. Nothing here waits, logs, rolls dice or looks at the clock."""
