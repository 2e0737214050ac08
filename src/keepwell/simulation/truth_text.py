"""The text of `truth/README.md`; coefficients are filled in from the process itself."""

from typing import Final

README: Final = """# The truth behind this world

Everything in this directory is hidden from Keepwell: it is not loaded. It says which process made the tables next to
it, so that predictions, segments and effects can be checked. Seed: $seed.

## Latent health
A customer's latent health on a day is a slow walk and the shocks that still last:

    health(t) = base(t) + sum of shock(k, t)
    base(t)   = base(t-1) + $reversion * (home(t) - base(t-1)) + $volatility * N(0, 1)
    home(t)   = $satisfaction_weight * satisfaction + $value_fit_weight * value_fit
                + clip(drift_per_month * months since drift_from, -$drift_limit, 0.8)

`satisfaction` and `value_fit` are drawn around the archetype's values, with standard deviations $satisfaction_spread
and $value_fit_spread. 0 is ordinary, above 1 delighted, below -1 unhappy.

$archetypes

Shocks strike once and fade with their half-life; `leaving` follows the decision not to renew.

$shocks

Bad releases: $releases. Price increase of $uplift for the plans basic and standard, announced: $price.
Incidents: $incidents.

## Churn
The monthly hazard of a paying customer is a logistic function:

    logit hazard = $intercept + $health * health + $payment * payment + $tenure * ln(1 + tenure in years)
                   + $basic (basic) or $enterprise (enterprise)
                   + $onboarding (customer for more than 30 days and still onboarding)
                   + treatment_effect (for $treatment_days days after a completed call or meeting)

`payment` is 1 while a payment has failed, 0.5 while one is overdue, else 0. The decision to leave (`exit_probability`
in `daily.parquet` is the probability that it falls on that day):

- monthly terms: on any day with 1 - (1 - hazard)^(1/30); the customer leaves at once;
- yearly terms: once, 8 to 40 days before the renewal, with 1 - (1 - mean hazard)^$renewal_months, where the mean fades
  over 30 days; the customer leaves on the renewal date, or takes it back half-way (probability $reversal);
- whoever does not pay an invoice leaves 27 days after it, whatever the terms (cause `payment_failure`, not part of
  `exit_probability`).

`cause` is the largest part of the logit at the decision, one of
$causes.
`low_value` stands for a low base. The reason in the table `customers` is what the customer said, which is not always
the cause.

## Treatment
Every customer reacts to calls and meetings in its own way. `treatment_effect` is added to the logit of the hazard:

$treatments

CSMs call unhappy customers more often than others, so that comparing contacted with other customers without
care misleads.

## What health drives
- sessions: usual_sessions_per_day * 1 / (1 + exp(-$gate_slope * (health - $gate_middle))) * weekday * onboarding *
  season * growth, times gamma noise with mean 1; the breadth of features shrinks with the same curve;
- tickets: 0.55 in 30 days * exp(-0.38 * health), more while onboarding, owing, near a yearly
  renewal or after a bad release, times a habit of the customer (gamma, mean 1); their tone, CSAT;
- NPS: 7.7 + 1.5 * (health + noise); effort score, replies to e-mails, meetings kept, milestones finished;
- failed payments: payment_failure_probability * exp(-0.35 * health) for each invoice;
- upgrades: 3 % a day while more than 95 % of the plan is used and health is above -0.5; contractions at renewals of
  customers that use less than 25 % and are unhappy.

## Files
- `customers.csv`: one row per customer, with `churned_on`, `cause` and `missing_data` (what the tables lack on
  purpose).
  `exit_probability` is the probability of having decided to leave at least once, given the course of health.
- `daily.parquet`: customer and day, latent health, monthly hazard, exit probability, share of the plan in use.
"""
