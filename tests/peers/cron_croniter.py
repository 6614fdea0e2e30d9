"""Answers with croniter: for each line {"pattern", "start", "count", "both"} the next instants, or null where it refuses.

Instants are seconds since 1970, patterns are read in UTC; six fields have the second first. `both` asks for days that
match the day of the month and the day of the week.
"""

import datetime
import json
import sys

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

for line in sys.stdin:
    asked = json.loads(line)
    start = datetime.datetime.fromtimestamp(asked["start"], datetime.timezone.utc)
    slots, ended = [], None
    try:
        cron = croniter(
            asked["pattern"],
            start,
            day_or=not asked["both"],
            second_at_beginning=True,
            max_years_between_matches=42,
        )
        while len(slots) < asked["count"]:
            slots.append(round(cron.get_next(float)))
    except CroniterBadDateError:
        ended = "never"
    except (CroniterError, ValueError, KeyError) as error:
        ended = f"refused: {error}"
    print(json.dumps({"slots": slots, "ended": ended}))
