{#
  Lifetime value on margin, never revenue: what a customer brought so far (CM3), what the purchase model expects,
  and the textbook's m * r / (1 + i - r) with m the annual margin, its first one in a year, r and i from vars,
  without acquisition cost (Gupta & Lehmann 2003).
#}
{%- set months = var("value_window_months") | int -%}
{%- set r = var("clv_retention_rate") -%}
{%- set i = var("clv_discount_rate") -%}
with
    profits as (
        select * from {{ ref("fct_customer_profits") }} where base = 'customer'
    ),

    window_values as (select * from {{ ref("fct_customer_values") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    annual as (
        select
            window_values.customer_key,
            {% if months > 0 %} {{ div("window_values.cm3_amount * 12", months) }}
            {% else %}
                {{
                    div(
                        "window_values.cm3_amount * 365",
                        days_between("as_of.data_start_date", "as_of.as_of") ~ " + 1",
                    )
                }}
            {% endif %} as margin
        from window_values
        cross join as_of
    ),

    final as (
        select
            profits.base_key as customer_key,
            profits.currency_code,
            profits.cm3_amount as historic_value_amount,
            cast(annual.margin as {{ type_amount() }}) as annual_margin_amount,
            cast(
                annual.margin * {{ r }} / (1 + {{ i }} - {{ r }}) as {{ type_amount() }}
            ) as margin_multiple_value_amount,
            case
                when profits.cm3_amount is null
                then 'unit costs are known for too little of the goods sold'
                when annual.customer_key is null
                then 'no counted order in the value window'
                when annual.margin is null
                then
                    'unit costs are known for too little of the goods sold in the value window'
            end as margin_multiple_missing_reason
        from profits
        left join annual on profits.base_key = annual.customer_key
    )

select *
from final
