{#
  What touchpoints of one kind have in common, over all whole months: the orders of one month are too few.
  Beta-binomial by moments (Kleinman 1973):
  with S = sum x^2 / n - X^2 / N and N' = N - sum n^2 / N, the correlation of two events at one
  touchpoint is rho = (S - m (1 - m) (k - 1)) / (m (1 - m) (N' - k + 1)), within 0..1.
#}
{%- set rates = {
    "failure": ["failed_count", "order_count"],
    "late": ["late_count", "promised_count"],
    "return": ["returned_count", "returnable_count"],
} -%}
with
    totals as (
        select
            source,
            touchpoint_by,
            touchpoint,
            {% for name, (part, base) in rates.items() %}
                sum({{ part }}) as {{ part }},
                sum({{ base }}) as {{ base }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from {{ ref("int_loyalty__touchpoint_months") }}
        -- the running month's orders have not had time to fail
        where not is_partial_month
        group by source, touchpoint_by, touchpoint
    ),

    summed as (
        select
            source,
            touchpoint_by,
            {% for name, (part, base) in rates.items() %}
                sum({{ part }}) as {{ name }}_part,
                sum({{ base }}) as {{ name }}_base,
                count(nullif({{ base }}, 0)) - 1 as {{ name }}_others,
                sum({{ base }} * {{ base }}) as {{ name }}_base_squares,
                sum(
                    {{ rounded(div(part ~ " * " ~ part, base), 8) }}
                ) as {{ name }}_part_squares
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from totals
        group by source, touchpoint_by
    ),

    centred as (
        select
            *,
            {% for name in rates %}
                {{ div(name ~ "_part", name ~ "_base") }} as {{ name }}_mean,
                {{ name }}_part_squares
                - {{ div(name ~ "_part * " ~ name ~ "_part", name ~ "_base") }}
                as {{ name }}_spread,
                {{ name }}_base
                - {{ div(name ~ "_base_squares", name ~ "_base") }}
                - {{ name }}_others as {{ name }}_room
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from summed
    ),

    varied as (
        select
            *,
            {% for name in rates %}
                {{ name }}_mean * (1 - {{ name }}_mean) as {{ name }}_chance
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from centred
    ),

    final as (
        select
            {{ made_key(["source", "touchpoint_by"]) }} as touchpoint_prior_key,
            source,
            touchpoint_by,
            {% for name in rates %}
                {{ name }}_mean,
                {%- set rho = div(
                    name
                    ~ "_spread - "
                    ~ name
                    ~ "_chance * "
                    ~ name
                    ~ "_others",
                    name ~ "_chance * " ~ name ~ "_room",
                ) %}
                case
                    when {{ name }}_room > 0
                    then least(1, greatest(0, coalesce({{ rho }}, 0)))
                    -- one order each, or one touchpoint: nothing says that they differ
                    when {{ name }}_base > 0
                    then 0
                end as {{ name }}_rho
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from varied
    )

select *
from final
