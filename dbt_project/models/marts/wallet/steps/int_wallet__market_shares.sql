{# Our part of a whole market by calendar quarter and year, over the months whose total is known. #}
with
    months as (select * from {{ ref("int_wallet__market_months") }}),

    placed as ({{ by_period("months", "month") }}),

    final as (
        select
            {{ made_key(["source", "category", "period_grain", "period_start_date"]) }}
            as brand_period_key,
            source,
            category,
            period_grain,
            period_start_date,
            'our sales' as brand,
            true as is_us,
            cast(max(household_count) as bigint) as base_count,
            {%- for name in ["buyer_count", "purchase_count", "sole_buyer_count"] %}
                cast(null as bigint) as {{ name }},
            {%- endfor %}
            cast(sum(own_amount) as {{ type_amount() }}) as amount,
            cast(sum(market_amount) as {{ type_amount() }}) as market_amount,
            {{ div("sum(own_amount)", "sum(market_amount)") }} as value_market_share,
            {%- for name in [
                "market_share",
                "purchase_frequency",
                "category_frequency",
                "requirements_share",
                "value_requirements_share",
                "mean_share",
            ] %}
                cast(null as {{ type_double() }}) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from placed
        group by source, category, period_grain, period_start_date
    )

select *
from final
