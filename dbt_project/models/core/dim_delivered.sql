{#-
  What single columns deliver: each with the feed, and the condition for rows that have it. Read from the landed feeds,
  so that a fault in the model of one feed withholds no mart of another.
-#}
{%- set delivered_by_one = [
    ("arms", "campaign_contacts", "arm is not null"),
    ("categories", "products", "category is not null"),
    ("compensations", "tickets", "compensation_amount is not null"),
    ("contract_ends", "contracts", "ended_at is not null"),
    ("customer_orders", "orders", "customer_id is not null"),
    (
        "customer_refunds",
        "refunds",
        "coalesce(order_id, customer_id) is not null",
    ),
    (
        "customer_refunds",
        "orders",
        "lower(kind) = 'return' or total_amount < 0",
    ),
    ("customer_refunds", "order_lines", "quantity < 0 or net_amount < 0"),
    ("deliveries", "orders", "delivered_at is not null"),
    ("discounts", "orders", "discount_amount is not null"),
    ("discounts", "orders", "gross_amount is not null"),
    ("discounts", "order_lines", "discount_amount is not null"),
    ("dispositions", "survey_sends", "disposition is not null"),
    ("goods_costs", "order_lines", "cost_amount is not null"),
    ("goods_costs", "products", "unit_cost is not null"),
    ("incentives", "survey_sends", "incentive_amount is not null"),
    ("interaction_channels", "interactions", "channel is not null"),
    ("interaction_costs", "interactions", "cost_amount is not null"),
    ("interaction_kinds", "interactions", "kind is not null"),
    ("invitations", "referrals", "invited_at is not null"),
    ("objectives", "campaigns", "objective is not null"),
    ("own_brands", "survey_brand_ratings", "is_us is not null"),
    ("payment_fees", "orders", "payment_fee_amount is not null"),
    ("points_values", "programme", "value_amount is not null"),
    ("referral_acceptances", "referrals", "accepted_at is not null"),
    ("referral_rewards", "referrals", "reward_amount is not null"),
    ("scales", "survey_questions", "scale_min < scale_max"),
    ("shipping_charges", "orders", "shipping_amount is not null"),
    ("shipping_costs", "orders", "shipping_cost_amount is not null"),
    ("ticket_customers", "tickets", "customer_id is not null"),
    ("ticket_kinds", "tickets", "kind is not null"),
    ("ticket_solutions", "tickets", "resolved_at is not null"),
] -%}
{#- what every row of a feed should have: a few rows with it do not show that the others have it -#}
{%- set delivered_by_most = [
    ("answers", "survey_answers", "coalesce(value, label)"),
    ("discounts", "order_lines", "list_price"),
] -%}
with
    loads as (select * from {{ source("raw", "loads") }}),

    refunds as (select * from {{ source("raw", "refunds") }}),

    -- a pool without a driver, or with neither amount nor rate, is given to no customer
    pools as (
        select coalesce(lower(level), 'sustaining') as level, driver
        from {{ source("raw", "costs") }}
        where coalesce(amount, rate) is not null
    ),

    rates as (
        select *
        from {{ ref("default_cost_rates") }}
        where {{ var("assumed_cost_rates") }} and not exists (select 1 from pools)
    ),

    named as (
        select feed as what
        from loads
        union all
        -- no refund at all
        select 'customer_refunds'
        from loads
        where feed = 'refunds' and not exists (select 1 from refunds)
        union all
        select level || '_pools'
        from pools
        where driver is not null
        union all
        select level || '_pools'
        from rates
        {% for what, feed, condition in delivered_by_one %}
            union all
            select '{{ what }}'
            where exists (select 1 from {{ source("raw", feed) }} where {{ condition }})
        {% endfor %}
        {% for what, feed, column in delivered_by_most %}
            union all
            select '{{ what }}'
            from {{ source("raw", feed) }}
            having count({{ column }}) > 0 and 2 * count({{ column }}) >= count(*)
        {% endfor %}
    ),

    final as (select what from named group by what)

select *
from final
