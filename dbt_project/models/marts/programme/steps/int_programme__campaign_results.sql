{# Counts and amounts only. #}
{#- roles, and what has to be delivered for each -#}
{%- set event_roles = {
    "sent": "campaign_contacts",
    "redeemed": "redemptions",
    "ordered": "customer_orders",
} -%}
{%- set customer_roles = dict(
    event_roles,
    control="arms",
    acquired="customer_orders",
    acquired_observed="customer_orders",
    one_time="customer_orders",
) -%}
with
    scopes as (select * from {{ ref("int_programme__campaign_scopes") }}),

    customers as (select * from {{ ref("int_programme__campaign_customers") }}),

    costs as (select * from {{ ref("int_programme__campaign_costs") }}),

    orders as (select * from {{ ref("int_programme__campaign_orders") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    -- an order of two campaigns is one order of all of them
    distinct_orders as (
        select distinct
            scopes.scope_key,
            orders.order_key,
            orders.currency_code,
            orders.net_amount,
            orders.goods_amount,
            orders.costed_amount,
            orders.cost_amount,
            orders.order_cost_amount
        from scopes
        inner join orders on scopes.campaign_key = orders.campaign_key
    ),

    -- orders in the reporting currency only
    earned as (
        select
            distinct_orders.scope_key,
            count(*) as order_count,
            sum(net_amount) as net_amount,
            sum(goods_amount) as goods_amount,
            sum(costed_amount) as costed_amount,
            sum(net_amount - cost_amount - order_cost_amount) as margin_amount
        from distinct_orders
        inner join
            as_of on distinct_orders.currency_code = as_of.reporting_currency_code
        group by distinct_orders.scope_key
    ),

    counted as (
        select
            scopes.scope_key,
            {% for role in event_roles %}
                sum(
                    case when customers.role = '{{ role }}' then event_count end
                ) as {{ role }}_count,
            {% endfor %}
            {% for role in customer_roles %}
                count(
                    distinct case
                        when customers.role = '{{ role }}' then customers.customer_key
                    end
                ) as {{ role }}_customer_count
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from scopes
        inner join customers on scopes.campaign_key = customers.campaign_key
        group by scopes.scope_key
    ),

    spent as (
        select
            scopes.scope_key,
            max(scopes.source) as source,
            count(*) as campaign_count,
            sum(costs.cost_amount) as cost_amount,
            count(costs.cost_amount) as costed_campaign_count
        from scopes
        left join costs on scopes.campaign_key = costs.campaign_key
        group by scopes.scope_key
    ),

    joined as (
        select
            spent.*,
            {% for name, feed in event_roles.items() %}
                {{
                    zero_when_delivered(
                        feed,
                        "cast(coalesce(counted." ~ name ~ "_count, 0) as bigint)",
                    )
                }} as {{ name }}_count,
            {% endfor %}
            {% for name, feed in customer_roles.items() %}
                {{
                    zero_when_delivered(
                        feed, "coalesce(counted." ~ name ~ "_customer_count, 0)"
                    )
                }} as {{ name }}_customer_count,
            {% endfor %}
            {{
                zero_when_delivered(
                    "customer_orders", "coalesce(earned.order_count, 0)"
                )
            }} as order_count,
            {{
                zero_when_delivered(
                    "customer_orders", "coalesce(earned.net_amount, 0)"
                )
            }} as net_amount,
            -- a missing cost of goods is not 0
            case
                when earned.scope_key is null
                then {{ when_delivered("customer_orders", "0") }}
                when
                    {{ div("earned.costed_amount", "earned.goods_amount") }}
                    >= {{ var("min_cost_coverage") }}
                then earned.margin_amount
            end as margin_amount
        from spent
        left join counted on spent.scope_key = counted.scope_key
        left join earned on spent.scope_key = earned.scope_key
    ),

    final as (
        select
            *,
            case
                when costed_campaign_count = campaign_count
                then cast(margin_amount - cost_amount as {{ type_amount() }})
            end as contribution_amount,
            case
                when costed_campaign_count = campaign_count
                then {{ div("margin_amount - cost_amount", "cost_amount") }}
            end as roi_rate,
            case
                when order_count is null
                then 'no orders were delivered'
                when margin_amount is null
                then 'too few unit costs are known'
                when costed_campaign_count < campaign_count
                then 'no cost on record of one campaign or more'
            end as money_reason
        from joined
    )

select *
from final
