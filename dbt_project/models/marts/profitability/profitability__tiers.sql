with
    value_groups as (select * from {{ ref("int_profitability__value_groups") }}),

    windows as (select * from {{ ref("dim_value_windows") }} where window_number = 0),

    lifts as (select * from {{ ref("int_profitability__privilege_lifts") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    value_basis as (select * from {{ ref("dim_value_basis") }}),

    -- what the textbook promises of 5, 15 and 80 percent of customers
    shared as (
        select
            value_groups.*,
            {% for name in ["measure", "resource"] %}
                case
                    when
                        value_groups.is_ranked
                        and value_groups.base_{{ name }}_amount > 0
                    then {{ div(name ~ "_amount", "base_" ~ name ~ "_amount") }}
                end as {{ name }}_share_rate,
            {% endfor %}
            case
                when value_groups.is_ranked
                then {{ div("customer_count", "base_customer_count") }}
            end as customer_share_rate,
            case
                value_groups.group_name
                when 'top_5'
                then 0.5
                when 'next_15'
                then 0.3
                when 'last_80'
                then 0.2
            end as textbook_share_rate
        from value_groups
    ),

    final as (
        select
            shared.group_by,
            shared.group_name as tier,
            shared.currency_code,
            windows.start_date as window_start_date,
            windows.end_date as window_end_date,
            cast(shared.customer_count as bigint) as customer_count,
            {% for name in ["active_count", "unknown_count"] %}
                {{
                    when_delivered(
                        "customer_orders", "cast(shared." ~ name ~ " as bigint)"
                    )
                }} as {{ name }},
            {% endfor %}
            cast(shared.base_customer_count as bigint) as base_count,
            shared.customer_share_rate,
            {{
                when_delivered(
                    "customer_orders",
                    "cast(shared.net_amount as " ~ type_amount() ~ ")",
                )
            }} as net_amount,
            cast(shared.resource_amount as {{ type_amount() }}) as resource_amount,
            shared.resource_share_rate,
            cast(shared.cm3_amount as {{ type_amount() }}) as cm3_amount,
            cast(shared.profit_amount as {{ type_amount() }}) as profit_amount,
            {% if var("tier_measure") == "cm3" %}
                case
                    when value_basis.value_basis = 'net_revenue'
                    then 'net_revenue'
                    else 'cm3'
                end
            {% else %} 'net_revenue'
            {% endif %} as measure,
            cast(shared.measure_amount as {{ type_amount() }}) as measure_amount,
            shared.measure_share_rate,
            cast(
                shared.textbook_share_rate as {{ type_double() }}
            ) as textbook_share_rate,
            shared.measure_share_rate
            - cast(shared.textbook_share_rate as {{ type_double() }}) as share_gap_rate,
            {{ div("shared.measure_share_rate", "shared.customer_share_rate") }}
            as profit_index_ratio,
            -- ranks count from the best on, within a currency: the row of all alone has
            -- every one of them
            case
                when shared.group_by = 'all' and shared.ranked_amount > 0
                then
                    1
                    + {{
                        div(
                            "1 - 2 * " ~ div("rank_times_amount", "ranked_amount"),
                            "ranked_count",
                        )
                    }}
            end as gini_index,
            {{ div("shared.cm3_amount", "shared.costed_resource_amount") }}
            as cm3_per_resource_ratio,
            case
                when shared.costed_net_amount > 0
                then {{ div("shared.cm3_amount", "shared.costed_net_amount") }}
            end as margin_rate,
            {{ div("shared.measure_amount", "shared.measure_count") }}
            as measure_mean_amount,
            cast(shared.measure_count as bigint) as measure_count,
            {{ div("shared.prior_measure_amount", "shared.prior_measure_count") }}
            as prior_measure_mean_amount,
            {{
                when_delivered(
                    "customer_orders", "cast(shared.prior_measure_count as bigint)"
                )
            }} as prior_measure_count,
            case
                when shared.group_by in ('tier', 'level')
                then
                    'grouped by the same figures that are shown: the best group of a window leads it by construction and falls back later; compare groups by tier_prior'
            end as warning,
            basis.cost_basis,
            {{ privilege_columns("lifts", "shared") }}
        from shared
        cross join windows
        cross join basis
        left join value_basis on shared.currency_code = value_basis.currency_code
        left join
            lifts
            on shared.group_by = 'tier_prior'
            and shared.group_name = lifts.group_name
            and shared.currency_code = lifts.currency_code
    )

select *
from final
