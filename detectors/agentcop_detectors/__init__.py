"""The detector service: receives traces, rebuilds each agent's runs, and says when something is not as it should be.

    receive ► segments ► normalise ► assemble ► checks ► store ► agentcop_alerts

`receive` runs in a process of its own and does nothing but check, write to disk and acknowledge; all the rest runs in
the scorer, which reads what `segments` holds. Between the two edges (`receive`, `store`) stand pure functions.
"""
