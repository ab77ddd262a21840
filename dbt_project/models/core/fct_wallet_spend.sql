{%- set peers = var("wallet_peer_column") -%}
{%- set known_columns = column_names(ref("dim_customers")) -%}
{%- set has_peers = not known_columns or peers in known_columns -%}
{# Consumers' spend with us by category and calendar quarter and year, with what makes them comparable. #}
with
    days as (select * from {{ ref("int_wallet__daily_spend") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    periods as (
        {%- for grain, months in (("quarter", 3), ("year", 12)) %}
            select
                days.source,
                days.customer_key,
                days.category,
                '{{ grain }}' as period_grain,
                cast(
                    date_trunc('{{ grain }}', days.order_date) as date
                ) as period_start_date,
                {{
                    add_days(
                        add_months(
                            "cast(date_trunc('"
                            ~ grain
                            ~ "', days.order_date) as date)",
                            months,
                        ),
                        -1,
                    )
                }} as period_end_date,
                days.own_amount
            from days
            {% if not loop.last %}
                union all
            {% endif %}
        {%- endfor %}
    ),

    spent as (
        select
            source,
            customer_key,
            category,
            period_grain,
            period_start_date,
            period_end_date,
            sum(own_amount) as own_amount
        from periods
        group by
            source,
            customer_key,
            category,
            period_grain,
            period_start_date,
            period_end_date
    ),

    peers as (
        select
            customer_key,
            {% if has_peers %} cast({{ peers }} as {{ dbt.type_string() }})
            {% else %} cast(null as {{ dbt.type_string() }})
            {% endif %} as peer_level
        from customers
    ),

    known_peers as (
        select count(*) as customer_count, count(peer_level) as known_count from peers
    ),

    final as (
        select
            spent.*,
            as_of.as_of < spent.period_end_date as is_partial_period,
            -- amounts in another currency cannot be compared
            case
                when customers.currency_code <> as_of.reporting_currency_code
                then null
                -- without the attribute of any customer all are peers of each other
                when known_peers.known_count > 0
                then peers.peer_level
                -- ... if there are enough of them: a customer is no peer of itself
                when known_peers.customer_count >= {{ var("min_peer_cell") }}
                then 'all customers'
            end as peer_level,
            coalesce(customers.age_band, 'unknown') as age_band,
            {{
                tenure_band(
                    days_between(
                        "customers.first_order_date", "spent.period_end_date"
                    )
                )
            }} as tenure_band
        from spent
        inner join customers on spent.customer_key = customers.customer_key
        inner join peers on spent.customer_key = peers.customer_key
        cross join known_peers
        cross join as_of
    )

select *
from final
