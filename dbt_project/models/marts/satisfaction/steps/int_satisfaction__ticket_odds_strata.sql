{# Tickets of one speed (a bought again, b did not) against those solved slowly (c, d), by third of earlier frequency. #}
with
    observed as (
        select severity, speed, prior_frequency, has_bought_again
        from {{ ref("fct_ticket_outcomes") }}
        where is_complaint and is_outcome_observed and speed is not null
    ),

    tickets as (
        select 'all' as severity, speed, prior_frequency, has_bought_again
        from observed
        union all
        select severity, speed, prior_frequency, has_bought_again
        from observed
    ),

    final as (
        {% for speed in ["fast", "none"] %}
            select
                severity,
                '{{ speed }}' as speed,
                prior_frequency,
                {{ count_where("speed = '" ~ speed ~ "' and has_bought_again") }} as a,
                {{ count_where("speed = '" ~ speed ~ "' and not has_bought_again") }}
                as b,
                {{ count_where("speed = 'slow' and has_bought_again") }} as c,
                {{ count_where("speed = 'slow' and not has_bought_again") }} as d
            from tickets
            group by severity, prior_frequency
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select *
from final
