{# Sums over all touchpoints of one kind in a month. #}
{%- set rates = {
    "failure": ["failed_count", "order_count"],
    "late": ["late_count", "promised_count"],
    "return": ["returned_count", "returnable_count"],
} -%}
with
    months as (select * from {{ ref("fct_touchpoint_months") }}),

    final as (
        select
            source,
            month,
            touchpoint_by,
            {% for name, (part, base) in rates.items() %}
                sum({{ part }}) as {{ name }}_part,
                sum({{ base }}) as {{ name }}_base,
                count(nullif({{ base }}, 0)) as {{ name }}_groups,
                sum({{ base }} * {{ base }}) as {{ name }}_base_squares,
                sum(
                    {{ rounded(div(part ~ " * " ~ part, base), 8, precision=28) }}
                ) as {{ name }}_part_squares,
            {% endfor %}
            sum(score_count) as score_count,
            sum(score_count * score_count) as score_count_squares,
            count(nullif(score_count, 0)) as score_groups,
            sum(score_sum) as score_sum,
            sum(score_square_sum) as score_square_sum,
            sum(
                {{
                    rounded(
                        div("score_sum * score_sum", "score_count"), 8, precision=28
                    )
                }}
            ) as between_sum,
            max(
                case
                    when score_count >= {{ var("min_base") }}
                    then {{ div("score_sum", "score_count") }}
                end
            ) - min(
                case
                    when score_count >= {{ var("min_base") }}
                    then {{ div("score_sum", "score_count") }}
                end
            ) as score_gap
        from months
        group by source, month, touchpoint_by
    )

select *
from final
