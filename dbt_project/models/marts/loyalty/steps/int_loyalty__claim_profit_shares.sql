{#
  Share of the profit by tier, of customers in the reporting currency. The interval is that of a ratio of sums
  (Cochran 1977): error = sqrt(sum((profit * (in tier - share))^2)) / total.
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    customer_values as (
        select customer_values.*
        from {{ ref("fct_customer_value_windows") }} as customer_values
        inner join
            as_of on customer_values.currency_code = as_of.reporting_currency_code
        where customer_values.window_number = 0
    ),

    tiered as (
        {% for column in ["tier", "tier_prior"] %}
            select
                '{{ column }}' as variant,
                scores.{{ column }} as tier,
                customer_values.profit_amount
            from customer_values
            inner join scores on customer_values.customer_key = scores.customer_key
            where
                scores.{{ column }} is not null
                and customer_values.profit_amount is not null
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    totals as (
        select variant, count(*) as base_count, sum(profit_amount) as total_amount
        from tiered
        group by variant
        having sum(profit_amount) > 0
    ),

    summed as (
        select
            tiered.variant,
            tiered.tier,
            count(*) as tier_count,
            sum(tiered.profit_amount) as tier_amount,
            sum(
                {{ amount_product("tiered.profit_amount", "tiered.profit_amount") }}
            ) as tier_squares
        from tiered
        group by tiered.variant, tiered.tier
    ),

    shared as (
        select
            summed.*,
            totals.base_count,
            totals.total_amount,
            sum(summed.tier_squares) over (partition by summed.variant) as all_squares,
            {{ div("summed.tier_amount", "totals.total_amount") }} as share
        from summed
        inner join totals on summed.variant = totals.variant
    ),

    final as (
        select
            case
                tier
                when 'top_5'
                then 'top_5_give_half'
                when 'next_15'
                then 'next_15_give_30'
                else 'last_80_give_20'
            end as claim_id,
            variant,
            tier_count,
            base_count,
            share as observed_value,
            sqrt(
                (1 - share) * (1 - share) * tier_squares
                + share * share * (all_squares - tier_squares)
            )
            / total_amount as standard_error
        from shared
    )

select *
from final
