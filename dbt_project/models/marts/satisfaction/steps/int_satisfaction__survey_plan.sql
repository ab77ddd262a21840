{# What was planned by wave and mode, and for all modes of a wave together. #}
with
    plans as (select * from {{ ref("int_survey_plan__current") }}),

    final as (
        {% for mode in ["mode", "'all'"] %}
            select
                source,
                survey_id,
                wave,
                {{ mode }} as mode,
                sum(planned_completes) as planned_count,
                sum(budget_amount) as budget_amount
            from plans
            group by source, survey_id, wave {% if mode == "mode" %}, mode{% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select *
from final
