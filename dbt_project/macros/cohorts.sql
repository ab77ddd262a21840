{# Who belongs to a cohort: customers whose first order is on record, without those who were there before the data began. #}
{% macro is_in_cohort() -%}
    base = 'customer' and first_order_date is not null and not is_left_truncated
{%- endmacro %}

{# Customers once as `all`, once for each way of beginning, and once for each attribute of the var `segments`. #}
{% macro origin_members(origins, segments) -%}
    {%- set ways = ["acquisition_source", "first_category", "first_discount"] -%}
    select {{ origins }}.*, 'all' as segment_by, 'all' as segment
    from {{ origins }}
    {% for name in ways %}
        union all
        select {{ origins }}.*, '{{ name }}' as segment_by, {{ name }} as segment
        from {{ origins }}
    {% endfor %}
    union all
    select {{ origins }}.*, {{ segments }}.segment_by, {{ segments }}.segment
    from {{ origins }}
    inner join
        {{ segments }} on {{ origins }}.customer_key = {{ segments }}.customer_key
    where {{ segments }}.segment_by not in ('all', '{{ ways | join("', '") }}')
{%- endmacro %}

{#
  What winning and keeping the customers of a cohort cost, each, and what came back: means over the cohort, empty
  under min_base; CAC is empty where no cost of acquisition is on record, which is not a cost of 0.
#}
{% macro origin_cohort_columns(cohorts) -%}
    {%- set shown = "not " ~ cohorts ~ ".is_suppressed" -%}
    {%- set cac = cohorts ~ ".cac_amount" -%}
    {%- set retained = (
        cohorts
        ~ ".month_number > 0 and not "
        ~ cohorts
        ~ ".is_partial and "
        ~ cohorts
        ~ ".active_count > 0"
    ) -%}
    {%- set to_retain = div(
        cohorts ~ ".retention_cost_amount", cohorts ~ ".active_count"
    ) -%}
    {%- set worth = cohorts ~ ".lifetime_value_mean_amount" -%}
    cast(
        {{ cohorts }}.acquisition_cost_amount as {{ type_amount() }}
    ) as acquisition_cost_amount,
    case when {{ shown }} then {{ cac }} end as cac_amount,
    case
        when {{ cac }} is null
        then 'no cost of acquisition is on record in this currency'
        when {{ cohorts }}.is_suppressed
        then 'too few customers in the cohort'
    end as cac_missing_reason,
    case
        when {{ shown }} then {{ cohorts }}.cumulative_cm3_mean_amount
    end as cumulative_cm3_mean_amount,
    cast(
        case when {{ shown }} then {{ cohorts }}.payback_month_number end as bigint
    ) as payback_month_number,
    case when {{ shown }} then {{ worth }} end as lifetime_value_mean_amount,
    cast({{ cohorts }}.predicted_count as bigint) as predicted_count,
    case when {{ shown }} then {{ div(worth, cac) }} end as ltv_cac_ratio,
    cast(
        {{ cohorts }}.retention_cost_amount as {{ type_amount() }}
    ) as retention_cost_amount,
    case
        when {{ shown }} and {{ retained }} then {{ to_retain }}
    end as cost_to_retain_amount,
    case
        when {{ shown }} and {{ retained }} then {{ div(to_retain, cac) }}
    end as retention_cost_ratio,
    {{ cohorts }}.is_suppressed
{%- endmacro %}
