{# The latest statement of each customer in a category and calendar quarter or year. #}
with
    statements as (select * from {{ ref("int_wallet__statements") }}),

    placed as (
        {%- for grain in ("quarter", "year") %}
            select
                *,
                '{{ grain }}' as period_grain,
                cast(
                    date_trunc('{{ grain }}', submitted_date) as date
                ) as period_start_date
            from statements
            {% if not loop.last %}
                union all
            {% endif %}
        {%- endfor %}
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by
                    source, customer_key, category, period_grain, period_start_date
                order by submitted_date desc, md5(response_key)
            ) as recency
        from placed
    ),

    final as (select * from ranked where recency = 1)

select *
from final
