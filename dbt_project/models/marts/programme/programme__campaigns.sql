with
    results as (select * from {{ ref("int_programme__campaign_results") }}),

    opinions as (select * from {{ ref("int_programme__campaign_opinions") }}),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    comparisons as (
        select *
        from {{ ref("int_programme__comparisons") }}
        where kind = 'campaign' and measure = 'cm3'
    ),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            results.scope_key as campaign_key,
            results.source,
            coalesce(campaigns.campaign_id, 'all') as campaign_id,
            campaigns.campaign_name,
            campaigns.objective,
            campaigns.started_date,
            campaigns.ended_date,
            as_of.reporting_currency_code as currency_code,

            -- reach and response
            results.sent_count,
            results.sent_customer_count as reached_count,
            results.control_customer_count as control_count,
            results.redeemed_count,
            results.redeemed_customer_count,
            results.ordered_customer_count as responded_count,
            {{
                suppress_small_rate(
                    "response",
                    "results.ordered_customer_count",
                    "results.sent_customer_count",
                )
            }},
            {{ suppress_small_mean("results.redeemed_count", "results.sent_count") }}
            as conversion_rate,

            -- money
            cast(results.order_count as bigint) as order_count,
            cast(results.net_amount as {{ type_amount() }}) as net_amount,
            cast(results.margin_amount as {{ type_amount() }}) as margin_amount,
            cast(results.cost_amount as {{ type_amount() }}) as cost_amount,
            results.contribution_amount,
            results.roi_rate,
            {{ div("results.cost_amount", "results.ordered_customer_count") }}
            as cost_per_response_amount,
            results.money_reason,

            -- customers who came by it
            results.acquired_customer_count as acquired_count,
            {{ div("results.cost_amount", "results.acquired_customer_count") }}
            as cost_per_acquired_amount,
            results.acquired_observed_customer_count as one_time_base_count,
            {{
                suppress_small_rate(
                    "one_time",
                    "results.one_time_customer_count",
                    "results.acquired_observed_customer_count",
                )
            }},

            -- expectation of those it reached
            opinions.exposed_count,
            opinions.unexposed_count,
            opinions.is_suppressed,
            opinions.over_promise_gap,
            opinions.over_promise_gap_low,
            opinions.over_promise_gap_high,
            opinions.c_count,
            {{
                suppress_small_rate(
                    "c_below", "opinions.c_below_count", "opinions.c_count"
                )
            }},

            -- satisfaction and margin, with against without
            opinions.effect_count as csat_effect_count,
            opinions.csat_effect_index,
            opinions.csat_effect_index_low,
            opinions.csat_effect_index_high,
            comparisons.comparison_key is not null as has_control_arm,
            {{ lift_columns("comparisons", "lift_margin") }},
            case
                when comparisons.reason is null then comparisons.trend_p_value
            end as lift_pre_trend_p_value,
            case
                when comparisons.comparison_key is null
                then 'no control arm'
                else comparisons.reason
            end as lift_reason
        from results
        cross join as_of
        left join campaigns on results.scope_key = campaigns.campaign_key
        left join opinions on results.scope_key = opinions.scope_key
        left join comparisons on results.scope_key = comparisons.compared_key
    )

select *
from final
