"""pandas: a table goes to a CSV file and back, is grouped, merged and reshaped, and its column of
text is taken apart. Argument: rows."""

import sys

import numpy as np
import pandas as pd

rows = int(sys.argv[1])
random = np.random.default_rng(1)
cities = np.array([f"city {number} of the {name}" for number in range(40) for name in ("north", "south", "east", "west")])
made = pd.DataFrame(
    {
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 730, rows), unit="D"),
        "city": cities[random.integers(0, len(cities), rows)],
        "customer": random.integers(0, rows // 20 + 1, rows),
        "amount": random.gamma(2.0, 30.0, rows).round(2),
    }
)
made.to_csv("sales.csv", index=False)
sales = pd.read_csv("sales.csv", parse_dates=["day"])

words = sales["city"].str.split(" ", expand=True)
sales["number"] = words[1].astype(int)
sales["region"] = words[4].str.upper()
sales["label"] = sales["region"].str[:2] + "-" + sales["number"].astype(str).str.zfill(3)
print(sales["label"].str.contains("N.*1").sum(), sales["label"].str.replace("0", "o").nunique())

by_city = sales.groupby(["region", "number"])["amount"].agg(["count", "sum", "mean", "max"])
print(len(by_city), by_city["sum"].sum().round(2), by_city["mean"].median().round(4))
spread = sales.groupby("customer")["amount"].apply(lambda amounts: amounts.max() - amounts.min())
print(len(spread), round(spread.sum(), 2))

customers = pd.DataFrame({"customer": np.arange(rows // 20 + 1), "since": random.integers(2000, 2020, rows // 20 + 1)})
joined = sales.merge(customers, on="customer", how="left").merge(by_city.reset_index(), on=["region", "number"])
print(joined.shape, joined["since"].sum(), round((joined["amount"] / joined["mean"]).sum(), 4))

months = joined.pivot_table(index=joined["day"].dt.to_period("M"), columns="region", values="amount", aggfunc="sum", fill_value=0)
print(months.shape, months.to_numpy().sum().round(2))
rolled = joined.sort_values(["customer", "day"]).groupby("customer")["amount"].rolling(3).mean()
print(int(rolled.notna().sum()), round(rolled.sum(), 2))
for city, part in joined.groupby("city"):
    part.describe()
print(joined.groupby("label")["amount"].quantile([0.1, 0.5, 0.9]).sum().round(2))
