with
    entries as (select * from {{ ref("fct_cost_entries") }}),

    final as (
        select
            base_key,
            currency_code,
            cost_date as calendar_date,
            {% for kind in [
                "order_pool",
                "interaction",
                "campaign",
                "ticket",
                "points",
                "customer_pool",
                "acquisition",
                "sustaining_pool",
            ] %}
                -- a campaign-level pool is a cost of campaigns
                sum(
                    case
                        when
                            kind
                            {% if kind == "campaign" %} in ('campaign', 'campaign_pool')
                            {% else %} = '{{ kind }}'
                            {% endif %}
                        then amount
                        else 0
                    end
                ) as {{ kind }}_cost_amount
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from entries
        group by base_key, currency_code, cost_date
    )

select *
from final
