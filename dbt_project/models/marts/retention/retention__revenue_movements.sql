{%- set gains = ["new", "reactivated", "expansion"] -%}
{%- set losses = ["contraction", "lapsed"] -%}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    movements as (select * from {{ ref("int_retention__revenue_movements") }}),

    summed as (
        select
            movements.month,
            movements.is_partial_month,
            segments.segment_by,
            segments.segment,
            movements.currency_code,
            count(case when movements.was_active then 1 end) as opening_count,
            sum(movements.opening_amount) as opening_amount,
            {%- for name in gains + losses %}
                sum(
                    case
                        when movements.movement = '{{ name }}'
                        then
                            {% if name in losses %} -{% endif %} movements.change_amount
                        else 0
                    end
                ) as {{ name }}_amount,
                count(
                    case when movements.movement = '{{ name }}' then 1 end
                ) as {{ name }}_count,
            {%- endfor %}
            sum(
                case
                    when movements.is_first_seen_at_data_start
                    then movements.change_amount
                    else 0
                end
            ) as first_seen_amount,
            sum(movements.closing_amount) as closing_amount
        from movements
        inner join segments on movements.customer_key = segments.customer_key
        group by
            movements.month,
            movements.is_partial_month,
            segments.segment_by,
            segments.segment,
            movements.currency_code
    ),

    judged as (
        select
            *,
            opening_count < {{ var("min_base") }} as is_suppressed,
            not is_partial_month
            and opening_count >= {{ var("min_base") }}
            and opening_amount > 0 as is_rated
        from summed
    ),

    final as (
        select
            month,
            is_partial_month,
            segment_by,
            segment,
            currency_code,
            cast(opening_count as bigint) as opening_count,
            cast(opening_amount as {{ type_amount() }}) as opening_amount,
            {%- for name in gains + losses %}
                cast({{ name }}_count as bigint) as {{ name }}_count,
                cast({{ name }}_amount as {{ type_amount() }}) as {{ name }}_amount,
            {%- endfor %}
            cast(first_seen_amount as {{ type_amount() }}) as first_seen_amount,
            cast(closing_amount as {{ type_amount() }}) as closing_amount,
            is_suppressed,
            {%- for name, gain in [("net", "+ expansion_amount"), ("gross", "")] %}
                case
                    when is_rated
                    then
                        {{
                            div(
                                "opening_amount "
                                ~ gain
                                ~ " - contraction_amount - lapsed_amount",
                                "opening_amount",
                            )
                        }}
                end as {{ name }}_revenue_retention_rate
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from judged
    )

select *
from final
