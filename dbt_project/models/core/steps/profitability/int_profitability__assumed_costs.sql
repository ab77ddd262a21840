{# Default rates, a pool a month, where no pool is delivered; not for what records state themselves. #}
{%- set admitted = var("costs_from_records") -%}
with
    rates as (select * from {{ ref("default_cost_rates") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    stated as (
        {% if "payment_fee" in admitted %}
            select 'payment_fee' as kind
            from {{ ref("fct_orders") }}
            having count(payment_fee_amount) > 0
            union
        {% endif %}
        {% if "interaction" in admitted %}
            select 'contact' as kind
            from {{ ref("fct_interactions") }}
            having sum(cost_amount) > 0
            union
        {% endif %}
        {% if "campaign_contact" in admitted %}
            select 'contact' as kind
            from {{ ref("fct_campaign_contacts") }}
            having sum(cost_amount) > 0
            union
        {% endif %}
        {% if "campaign" in admitted %}
            select 'contact' as kind
            from {{ ref("fct_campaigns") }}
            having sum(cost_amount) > 0
            union
        {% endif %}
        select 'nothing' as kind
    ),

    final as (
        select
            {{ made_key(["'assumed'", "rates.pool", "months.month"]) }} as cost_key,
            'assumed '
            || rates.pool
            || ' '
            || substr(cast(months.month as {{ dbt.type_string() }}), 1, 7) as cost_id,
            months.month,
            rates.pool,
            rates.level,
            rates.driver,
            rates.rate as driver_rate
        from rates
        inner join basis on basis.is_assumed
        cross join as_of
        cross join months
        where
            (
                coalesce(rates.currency_code, '') = ''
                or rates.currency_code = as_of.reporting_currency_code
            )
            and coalesce(rates.replaced_by, '') not in (select kind from stated)
    )

select *
from final
