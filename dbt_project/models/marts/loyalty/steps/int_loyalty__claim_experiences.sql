{# Across waves the latest counts, for each thing asked: whether there was a complaint, and how many people heard of it. Of each survey, and of all. #}
with
    experiences as (
        select *
        from {{ ref("fct_survey_experiences") }}
        where respondent_type = 'customer' and customer_key is not null
    ),

    scoped as (
        select 'all' as scope_source, 'all' as scope_survey_id, experiences.*
        from experiences
        union all
        select source as scope_source, survey_id as scope_survey_id, experiences.*
        from experiences
    ),

    placed as (
        select
            *,
            {% for name in ["has_complained", "told_count"] %}
                row_number() over (
                    partition by
                        scope_source, scope_survey_id, customer_key, {{ name }} is null
                    order by submitted_at desc, md5(response_key)
                ) as {{ name }}_recency
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from scoped
    ),

    final as (
        select
            scope_source as source,
            scope_survey_id as survey_id,
            response_key,
            customer_key,
            satisfaction_class,
            mouth_class,
            has_problem,
            case
                when has_complained_recency = 1 then has_complained
            end as has_complained,
            case when told_count_recency = 1 then told_count end as told_count
        from placed
    )

select *
from final
