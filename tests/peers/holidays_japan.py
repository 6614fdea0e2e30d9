"""Prints Japan's public holidays of 1955 to 2050 by a package, one date a line: `holidays_japan.py holidays|jpholiday`."""

import datetime
import sys

if sys.argv[1] == "holidays":
    import holidays

    days = set(holidays.Japan(years=range(1955, 2051)))
else:
    import jpholiday

    first = datetime.date(1955, 1, 1)
    every = (first + datetime.timedelta(days=day) for day in range((datetime.date(2051, 1, 1) - first).days))
    days = {day for day in every if jpholiday.is_holiday(day)}

for day in sorted(days):
    print(day.isoformat())
