with
    profits as (select * from {{ ref("int_profitability__customer_profits") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    customer_values as (
        select *
        from {{ ref("fct_customer_value_windows") }}
        where window_number = 0 and order_count > 0
    ),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    predictions as (select * from {{ ref("fct_customer_predictions") }}),

    quadrants as (select * from {{ ref("int_profitability__customer_quadrants") }}),

    accounts as (select * from {{ ref("int_profitability__customer_accounts") }}),

    bulk as (select * from {{ ref("int_profitability__customer_bulk") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    privileges as (
        select
            interactions.customer_key,
            count(*) as privilege_count,
            sum(interactions.cost_amount) as privilege_cost_amount
        from {{ ref("fct_interactions") }} as interactions
        cross join as_of
        where
            interactions.kind = 'privilege'
            and interactions.interacted_date <= as_of.as_of
        group by interactions.customer_key
    ),

    final as (
        select
            profits.base_key as customer_key,
            customers.customer_id,
            customers.source,
            profits.base,
            customers.first_order_date,
            customers.last_order_date,
            {% for name in ["order_count", "kept_order_count"] %}
                {{ zero_when_delivered("customer_orders", "profits." ~ name) }}
                as {{ name }},
            {% endfor %}
            profits.currency_code,
            {{ waterfall_columns("profits") }},
            case
                when profits.net_amount > 0
                then {{ div("profits.cost_to_serve_amount", "profits.net_amount") }}
            end as cost_to_serve_rate,
            basis.cost_basis,
            cast(profits.profit_rank as bigint) as profit_rank,
            customer_values.value_basis,
            customer_values.net_amount as window_net_amount,
            customer_values.cm3_amount as window_cm3_amount,
            cast(customer_values.value_rank as bigint) as value_rank,
            customer_values.tier,
            customer_values.level,
            customer_values.cm3_amount > 0 as is_value_customer,
            scores.tier_prior,
            scores.level_prior,
            scores.is_tier_prior_observed,
            case
                when profits.base = 'customer' then profits.cm3_amount
            end as historic_value_amount,
            predictions.clv_amount as predicted_value_amount,
            predictions.clv_missing_reason as predicted_value_missing_reason,
            predictions.order_model,
            predictions.order_model_verdict,
            predictions.simple_clv_amount as simple_value_amount,
            predictions.simple_clv_missing_reason as simple_value_missing_reason,
            quadrants.satisfaction_state,
            quadrants.quadrant as value_satisfaction_quadrant,
            quadrants.quadrant_action,
            accounts.account_key,
            accounts.account_kind,
            accounts.account_role,
            case
                when customers.customer_key is not null
                then coalesce(bulk.is_reseller_suspected, false)
            end as is_reseller_suspected,
            case
                when customers.customer_key is not null
                then
                    {{
                        when_delivered(
                            "interaction_kinds",
                            "cast(coalesce(privileges.privilege_count, 0) as bigint)",
                        )
                    }}
            end as privilege_count,
            {{
                when_delivered(
                    "interaction_costs",
                    "cast(privileges.privilege_cost_amount as " ~ type_amount() ~ ")",
                )
            }} as privilege_cost_amount
        from profits
        cross join basis
        left join customers on profits.base_key = customers.customer_key
        left join customer_values on profits.base_key = customer_values.customer_key
        left join scores on profits.base_key = scores.customer_key
        left join predictions on profits.base_key = predictions.customer_key
        left join quadrants on profits.base_key = quadrants.customer_key
        left join accounts on profits.base_key = accounts.customer_key
        left join bulk on profits.base_key = bulk.customer_key
        left join privileges on profits.base_key = privileges.customer_key
    )

select *
from final
