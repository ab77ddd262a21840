{# What drivers are fitted on: exact sums over complete answers, of all, of value and of high-value customers. #}
{%- set keys = ["source", "survey_id", "driver_by", "segment", "person_group"] -%}
with
    scores as (select * from {{ ref("int_survey__driver_scores") }}),

    customer_values as (select * from {{ ref("fct_customer_values") }}),

    segmented as (
        select scores.*, 'all' as segment
        from scores
        union all
        select scores.*, 'value' as segment
        from scores
        inner join customer_values on scores.person_key = customer_values.customer_key
        where customer_values.is_value_customer
        union all
        select scores.*, 'high_value' as segment
        from scores
        inner join customer_values on scores.person_key = customer_values.customer_key
        where customer_values.tier in ('top_5', 'next_15')
    ),

    summed as ({{ cross_products("segmented", keys) }}),

    final as (
        select
            summed.*,
            {{ var("driver_min_base") }} as least_answers,
            {{ var("driver_min_base_each") }} as least_answers_a_driver
        from summed
    )

select *
from final
